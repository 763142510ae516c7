import 'reflect-metadata'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

/** A P-256 key with its CSR, made by another implementation than the relayer's. */
export async function makeKey() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=ignored',
    keys,
    signingAlgorithm: algorithm,
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    csr: csr.toString('pem'),
    spki: new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey)),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  }
}
