import { Empty } from '../design/components/Empty.tsx'
import { Page } from '../design/components/Layout.tsx'
import { Link } from '../design/components/Link.tsx'
import { href, routes } from './routes.ts'

export const NotFound = () => (
  <Page title="Not found">
    <Empty title="There is no such page" actions={<Link href={href(routes.fleet)}>To the fleet</Link>} />
  </Page>
)
