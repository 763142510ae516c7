import 'reflect-metadata'
import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { TlsMaterial } from '../../../sdk/client/mutualTls.ts'

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[1])

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export type SvidOrder = {
  readonly spiffeId: string
  readonly owner?: string
  readonly deployment: string
  readonly generation?: number
  readonly notBefore?: number
  readonly notAfter?: number
}

export type IssuedSvid = TlsMaterial & { readonly der: Uint8Array; readonly notAfter: number }

/** A small CA that issues SVIDs as docs/protocol.md says. */
export async function createCa(name = 'Test CA') {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    serialNumber: '01',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const bundle = root.toString('pem')

  /** Issues for a public key (SubjectPublicKeyInfo, DER). */
  const issueFor = async (spki: Uint8Array, order: SvidOrder) => {
    const { owner, deployment, generation = 1 } = order
    const notAfter = Math.floor((order.notAfter ?? Date.now() + 300_000) / 1000) * 1000
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: `7f${randomBytes(8).toString('hex')}`,
      subject: [
        { OU: [deployment] },
        ...(owner === undefined ? [] : [{ '0.9.2342.19200300.100.1.1': [owner] }]),
        { '2.5.4.5': [String(generation)] },
      ],
      issuer: root.subject,
      notBefore: new Date(order.notBefore ?? Date.now() - 10_000),
      notAfter: new Date(notAfter),
      signingKey: keys.privateKey,
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
      signingAlgorithm: algorithm,
      extensions: [
        // Two roots of one name are told apart by it.
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: order.spiffeId }]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
      ],
    })
    return { certificate: certificate.toString('pem'), der: new Uint8Array(certificate.rawData), notAfter }
  }

  const issue = async (order: SvidOrder): Promise<IssuedSvid> => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return {
      ...(await issueFor(publicKey.export({ type: 'spki', format: 'der' }), order)),
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      bundle,
    }
  }

  return { bundle, rootDer: new Uint8Array(root.rawData), issue, issueFor }
}

export type Ca = Awaited<ReturnType<typeof createCa>>
