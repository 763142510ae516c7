import { lazy, Suspense, useLayoutEffect, useMemo, useState } from 'react'
import { Route, Router, Switch } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { Loading } from './design/components/Empty.tsx'
import { Page } from './design/components/Layout.tsx'
import { takeEarlyStop } from './frame/earlyStop.ts'
import { Frame } from './frame/Frame.tsx'
import { NotFound } from './frame/NotFound.tsx'
import { routes } from './frame/routes.ts'
import { StopContext, type StopControl, type StopSubject } from './frame/stopContext.ts'
import { AgentPage } from './pages/agent/AgentPage.tsx'
import { loadResume } from './pages/agent/LateResumePanel.tsx'
import { FleetPage } from './pages/fleet/FleetPage.tsx'
import { LateStopDialog, loadStop } from './pages/stop/LateStopDialog.tsx'
import { stopSummary } from './pages/stop/stopSummary.ts'
import { useServices } from './services.ts'

const loadActivity = () => import('./pages/activity/ActivityPage.tsx')
const loadGuardians = () => import('./pages/guardians/GuardiansPage.tsx')
const loadRegister = () => import('./pages/register/RegisterPage.tsx')
const loadGovernance = () => import('./pages/votes/GovernancePages.tsx')

const ActivityPage = lazy(() => loadActivity().then(({ ActivityPage: page }) => ({ default: page })))
const GuardiansPage = lazy(() => loadGuardians().then(({ GuardiansPage: page }) => ({ default: page })))
const RegisterPage = lazy(() => loadRegister().then(({ RegisterPage: page }) => ({ default: page })))
const GovernancePages = lazy(() => loadGovernance().then(({ GovernancePages: page }) => ({ default: page })))

/** Loads what an emergency needs: from then on it does not matter who is still there to serve it. */
export async function loadForEmergency(): Promise<void> {
  // One by one, also below: all at once would be a long task.
  await loadStop()
  await loadResume()
}

/** Loads what is not there yet while nothing else is to do: whoever serves the app may be gone when it is needed. */
export async function loadAllPages(): Promise<void> {
  for (const load of [loadActivity, loadGuardians, loadRegister, loadGovernance]) await load().catch(() => {})
}

export function App() {
  const { stopper } = useServices()
  const [stopping, setStopping] = useState<{ readonly subject: StopSubject | null } | null>(null)
  const isOpen = stopping !== null
  const control = useMemo<StopControl>(
    () => ({
      open(subject) {
        // Whoever presses stop again wants another one.
        const run = stopper.run.get()
        if (run !== null && stopSummary(run).isDone) stopper.dismiss()
        setStopping({ subject })
      },
      showProgress: () => setStopping({ subject: null }),
      isOpen,
    }),
    [isOpen, stopper],
  )
  // With the commit that takes the shell's place: no press falls in between.
  useLayoutEffect(() => {
    if (takeEarlyStop()) setStopping({ subject: null })
  }, [])
  return (
    <Router hook={useHashLocation}>
      <StopContext value={control}>
        <Frame>
          <Suspense
            fallback={
              <Page title="">
                <Loading what="Loading …" />
              </Page>
            }
          >
            <Switch>
              <Route path={routes.fleet} component={FleetPage} />
              <Route path={routes.agent}>{({ uuid }) => <AgentPage uuid={uuid} />}</Route>
              <Route path={routes.activity} component={ActivityPage} />
              <Route path={routes.guardians} component={GuardiansPage} />
              <Route path={routes.register} component={RegisterPage} />
              <Route path={routes.governance} component={GovernancePages} />
              <Route component={NotFound} />
            </Switch>
          </Suspense>
        </Frame>
        {stopping === null ? null : (
          <LateStopDialog subject={stopping.subject} onClose={() => setStopping(null)} />
        )}
      </StopContext>
    </Router>
  )
}
