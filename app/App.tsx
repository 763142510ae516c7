import { lazy, Suspense, useMemo, useState } from 'react'
import { Route, Router, Switch } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { Loading } from './design/components/Empty.tsx'
import { Page } from './design/components/Layout.tsx'
import { Frame } from './frame/Frame.tsx'
import { NotFound } from './frame/NotFound.tsx'
import { routes } from './frame/routes.ts'
import { StopContext, type StopControl, type StopSubject } from './frame/stopContext.ts'
import { AgentPage } from './pages/agent/AgentPage.tsx'
import { FleetPage } from './pages/fleet/FleetPage.tsx'
import { StopDialog } from './pages/stop/StopDialog.tsx'

const loadActivity = () => import('./pages/activity/ActivityPage.tsx')
const loadGuardians = () => import('./pages/guardians/GuardiansPage.tsx')
const loadRegister = () => import('./pages/register/RegisterPage.tsx')

const loadProposals = () => import('./pages/votes/ProposalsPage.tsx')
const loadProposal = () => import('./pages/votes/ProposalPage.tsx')
const loadNewProposal = () => import('./pages/votes/NewProposalPage.tsx')
const loadEmergency = () => import('./pages/votes/EmergencyPage.tsx')
const loadDelegation = () => import('./pages/votes/DelegationPage.tsx')
const loadPolicies = () => import('./pages/policies/PoliciesPage.tsx')
const loadSubscription = () => import('./pages/subscription/SubscriptionPage.tsx')

const ActivityPage = lazy(() => loadActivity().then(({ ActivityPage: page }) => ({ default: page })))
const GuardiansPage = lazy(() => loadGuardians().then(({ GuardiansPage: page }) => ({ default: page })))
const RegisterPage = lazy(() => loadRegister().then(({ RegisterPage: page }) => ({ default: page })))
const ProposalsPage = lazy(() => loadProposals().then(({ ProposalsPage: page }) => ({ default: page })))
const ProposalPage = lazy(() => loadProposal().then(({ ProposalPage: page }) => ({ default: page })))
const NewProposalPage = lazy(() => loadNewProposal().then(({ NewProposalPage: page }) => ({ default: page })))
const EmergencyPage = lazy(() => loadEmergency().then(({ EmergencyPage: page }) => ({ default: page })))
const DelegationPage = lazy(() => loadDelegation().then(({ DelegationPage: page }) => ({ default: page })))
const PoliciesPage = lazy(() => loadPolicies().then(({ PoliciesPage: page }) => ({ default: page })))
const SubscriptionPage = lazy(() =>
  loadSubscription().then(({ SubscriptionPage: page }) => ({ default: page })),
)

/** Loads what is not there yet while nothing else is to do: whoever serves the app may be gone when it is needed. */
export function loadAllPages(): void {
  const loads = [
    loadActivity,
    loadGuardians,
    loadRegister,
    loadProposals,
    loadProposal,
    loadNewProposal,
    loadEmergency,
    loadDelegation,
    loadPolicies,
    loadSubscription,
  ]
  for (const load of loads) load().catch(() => {})
}

export function App() {
  const [stopping, setStopping] = useState<{ readonly subject: StopSubject | null } | null>(null)
  const isOpen = stopping !== null
  const control = useMemo<StopControl>(
    () => ({ open: (subject) => setStopping({ subject }), isOpen }),
    [isOpen],
  )
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
              <Route path={routes.proposals} component={ProposalsPage} />
              <Route path={routes.newProposal} component={NewProposalPage} />
              <Route path={routes.emergency} component={EmergencyPage} />
              <Route path={routes.delegation} component={DelegationPage} />
              <Route path={routes.policies} component={PoliciesPage} />
              <Route path={routes.subscription} component={SubscriptionPage} />
              <Route path={routes.proposal}>
                {({ governor, id }) => <ProposalPage key={id} governor={governor} id={id} />}
              </Route>
              <Route component={NotFound} />
            </Switch>
          </Suspense>
        </Frame>
        {stopping === null ? null : (
          <StopDialog subject={stopping.subject} onClose={() => setStopping(null)} />
        )}
      </StopContext>
    </Router>
  )
}
