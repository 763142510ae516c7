/** Addresses of the pages; they are the fragment, so that any static server or IPFS gateway serves them. */
export const routes = {
  fleet: '/',
  agent: '/agents/:uuid',
  activity: '/activity',
  guardians: '/guardians',
  register: '/register',
  /** All below, which are loaded together. */
  governance: /^\/(votes|policies|subscription)(\/|$)/,
  policies: '/policies',
  proposals: '/votes',
  newProposal: '/votes/new',
  proposal: '/votes/:governor/:id',
  emergency: '/votes/emergency',
  delegation: '/votes/delegation',
  subscription: '/subscription',
} as const

export const href = (path: string): string => `#${path}`
export const agentHref = (uuid: string): string => href(`/agents/${uuid}`)
/** @param id 64 hexadecimal digits after 0x */
export const proposalHref = (governor: string, id: string): string => href(`/votes/${governor}/${id}`)
