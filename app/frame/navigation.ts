import { href, routes } from './routes.ts'

const pages = [
  { path: routes.fleet, name: 'Fleet' },
  { path: routes.activity, name: 'Activity' },
  { path: routes.guardians, name: 'Guardians' },
  { path: routes.register, name: 'Register' },
  { path: routes.policies, name: 'Policies' },
  { path: routes.proposals, name: 'Votes' },
  { path: routes.subscription, name: 'Subscription' },
] as const

/** @param location the path of the page that is shown; null while none is */
export const navigation = (location: string | null) =>
  pages.map(({ path, name }) => ({
    href: href(path),
    name,
    isHere:
      location !== null &&
      (path === routes.fleet
        ? location === '/' || location.startsWith('/agents')
        : location === path || location.startsWith(`${path}/`)),
  }))
