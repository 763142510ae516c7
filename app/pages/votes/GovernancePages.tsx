import { Route, Switch } from 'wouter'
import { NotFound } from '../../frame/NotFound.tsx'
import { routes } from '../../frame/routes.ts'
import { PoliciesPage } from '../policies/PoliciesPage.tsx'
import { SubscriptionPage } from '../subscription/SubscriptionPage.tsx'
import { DelegationPage } from './DelegationPage.tsx'
import { EmergencyPage } from './EmergencyPage.tsx'
import { NewProposalPage } from './NewProposalPage.tsx'
import { ProposalPage } from './ProposalPage.tsx'
import { ProposalsPage } from './ProposalsPage.tsx'

/** The pages for token holders, in one piece: whoever opens one opens others, and nobody else loads any. */
export const GovernancePages = () => (
  <Switch>
    <Route path={routes.proposals} component={ProposalsPage} />
    <Route path={routes.newProposal} component={NewProposalPage} />
    <Route path={routes.emergency} component={EmergencyPage} />
    <Route path={routes.delegation} component={DelegationPage} />
    <Route path={routes.proposal}>
      {({ governor, id }) => <ProposalPage key={id} governor={governor} id={id} />}
    </Route>
    <Route path={routes.policies} component={PoliciesPage} />
    <Route path={routes.subscription} component={SubscriptionPage} />
    <Route component={NotFound} />
  </Switch>
)
