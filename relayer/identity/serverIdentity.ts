import { generateKeyPairSync } from 'node:crypto'
import type { Deployment } from '../../protocol/deployment.ts'
import type { IdentityProvider } from './provider.ts'

/** Makes the relayer's own SVID, with a new key each time, for its mutual TLS listener; all PEM. */
export const createServerIdentity =
  (options: {
    readonly provider: Pick<IdentityProvider, 'issue'>
    readonly trustDomain: string
    readonly deployment: Deployment
    readonly generation: () => number
    /** ms */
    readonly svidLife: number
    readonly hosts: readonly string[]
    readonly bundlePem: string
  }): (() => Promise<{ readonly key: string; readonly cert: string; readonly ca: string }>) =>
  async () => {
    const { provider, trustDomain, deployment, generation, svidLife, hosts, bundlePem } = options
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const svid = await provider.issue({
      spiffeId: { trustDomain, type: 'relayer', name: 'self' },
      owner: null,
      deployment,
      generation: generation(),
      spki: publicKey.export({ type: 'spki', format: 'der' }),
      lifetime: svidLife,
      hosts,
    })
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      cert: svid.pem,
      ca: bundlePem,
    }
  }
