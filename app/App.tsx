import { type ComponentType, useLayoutEffect, useMemo, useState } from 'react'
import { Route, Router, Switch } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { Loading } from './design/components/Empty.tsx'
import { Page } from './design/components/Layout.tsx'
import { takeEarlyStop } from './frame/earlyStop.ts'
import { Frame } from './frame/Frame.tsx'
import { NotFound } from './frame/NotFound.tsx'
import { routes } from './frame/routes.ts'
import { StopContext, type StopControl, type StopSubject } from './frame/stopContext.ts'
import { type Late, late } from './late.ts'
import { AgentPage } from './pages/agent/AgentPage.tsx'
import { loadResume } from './pages/agent/LateResumePanel.tsx'
import { FleetPage } from './pages/fleet/FleetPage.tsx'
import { LateStopDialog, loadStop } from './pages/stop/LateStopDialog.tsx'
import { stopSummary } from './pages/stop/stopSummary.ts'
import { useServices } from './services.ts'
import { useLate } from './useLate.ts'

const loadActivity = late(async () => (await import('./pages/activity/ActivityPage.tsx')).ActivityPage)
const loadGuardians = late(async () => (await import('./pages/guardians/GuardiansPage.tsx')).GuardiansPage)
const loadRegister = late(async () => (await import('./pages/register/RegisterPage.tsx')).RegisterPage)
const loadGovernance = late(async () => (await import('./pages/votes/GovernancePages.tsx')).GovernancePages)

function LatePage({ load }: { readonly load: Late<ComponentType> }) {
  const Loaded = useLate(load)
  return Loaded === null ? (
    <Page title="">
      <Loading what="Loading …" />
    </Page>
  ) : (
    <Loaded />
  )
}

/** Loads what an emergency needs: from then on it does not matter who is still there to serve it. */
export async function loadForEmergency(): Promise<void> {
  // One by one, as in `loadAllPages`: all at once would be a long task.
  await loadStop()
  await loadResume()
}

/** ms after which a page that does not come no longer keeps the next one waiting */
const patience = 5_000

/** Loads what is not there yet while nothing else is to do: whoever serves the app may be gone when it is needed. */
export async function loadAllPages(): Promise<void> {
  for (const load of [loadActivity, loadGuardians, loadRegister, loadGovernance])
    await Promise.race([load(), new Promise((resolve) => setTimeout(resolve, patience))])
}

export function App() {
  const { stopper } = useServices()
  const [stopping, setStopping] = useState<{
    readonly subject: StopSubject | null
    readonly progress: number | null
  } | null>(null)
  const isOpen = stopping !== null
  const control = useMemo<StopControl>(
    () => ({
      open(subject) {
        // Whoever presses stop again wants another one.
        const run = stopper.run.get()
        if (run !== null && stopSummary(run).isDone) stopper.dismiss()
        setStopping({ subject, progress: null })
      },
      showProgress: () => setStopping({ subject: null, progress: stopper.run.get()?.number ?? null }),
      isOpen,
    }),
    [isOpen, stopper],
  )
  // With the commit that takes the shell's place: no press falls in between.
  useLayoutEffect(() => {
    if (takeEarlyStop()) setStopping({ subject: null, progress: null })
  }, [])
  return (
    <Router hook={useHashLocation}>
      <StopContext value={control}>
        <Frame>
          <Switch>
            <Route path={routes.fleet} component={FleetPage} />
            <Route path={routes.agent}>{({ uuid }) => <AgentPage uuid={uuid} />}</Route>
            <Route path={routes.activity}>{() => <LatePage key="activity" load={loadActivity} />}</Route>
            <Route path={routes.guardians}>{() => <LatePage key="guardians" load={loadGuardians} />}</Route>
            <Route path={routes.register}>{() => <LatePage key="register" load={loadRegister} />}</Route>
            <Route path={routes.governance}>
              {() => <LatePage key="governance" load={loadGovernance} />}
            </Route>
            <Route component={NotFound} />
          </Switch>
        </Frame>
        {stopping === null ? null : <LateStopDialog {...stopping} onClose={() => setStopping(null)} />}
      </StopContext>
    </Router>
  )
}
