import { renderToStaticMarkup } from 'react-dom/server'
import { AppShell } from './design/components/AppShell.tsx'
import { Empty } from './design/components/Empty.tsx'
import { Health } from './design/components/Health.tsx'
import { Page } from './design/components/Layout.tsx'
import { Popover } from './design/components/Popover.tsx'
import { StopButton } from './design/components/StopButton.tsx'
import { earlyStopId } from './frame/earlyStop.ts'
import { navigation } from './frame/navigation.ts'
import { href, routes } from './frame/routes.ts'

/**
 * The body of index.html, which the build renders: the frame is there before any script is. Its stop opens a note by the
 * browser's own means; `takeEarlyStop` finds that it was pressed.
 */
export const renderShell = (): string =>
  renderToStaticMarkup(
    <>
      <div id="app">
        <AppShell
          brand={<a href={href(routes.fleet)}>Killswitch</a>}
          navigation={navigation(null)}
          wallet={null}
          stop={<StopButton label="Stop" what="agents of this wallet" opens={earlyStopId} />}
          banner={null}
          status={['Chain', 'Relayer', 'Feed', 'Wallet'].map((name) => (
            <Health key={name} name={name} state="doubtful" words="…" />
          ))}
        >
          <Page title="Killswitch">
            <Empty title="Loading …">
              In an emergency you need not wait for this page: the command line stops agents without it (npx
              killswitch kill).
            </Empty>
          </Page>
        </AppShell>
      </div>
      <Popover id={earlyStopId} title="Emergency stop">
        It opens here as soon as this page has loaded. Nothing is stopped yet.
      </Popover>
    </>,
  )
