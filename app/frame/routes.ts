/** Addresses of the pages; they are the fragment, so that any static server or IPFS gateway serves them. */
export const routes = {
  fleet: '/',
  agent: '/agents/:uuid',
  activity: '/activity',
  guardians: '/guardians',
  register: '/register',
} as const

export const href = (path: string): string => `#${path}`
export const agentHref = (uuid: string): string => href(`/agents/${uuid}`)
