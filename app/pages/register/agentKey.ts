import { toHex } from 'viem'
import type { Hex } from '../../../protocol/hex.ts'

/** The key that an agent attests with: the public part goes on the chain, the private one to the agent and nowhere else. */
export type AgentKey = { readonly publicKey: Hex; readonly privatePem: string }

const pem = (der: Uint8Array): string => {
  const base64 = btoa(String.fromCharCode(...der))
  return `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`
}

/** Makes an Ed25519 key in this browser. @throws NotSupportedError where it cannot */
export async function createAgentKey(): Promise<AgentKey> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
  const [publicKey, privateKey] = await Promise.all([
    crypto.subtle.exportKey('raw', pair.publicKey),
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
  ])
  return { publicKey: toHex(new Uint8Array(publicKey)), privatePem: pem(new Uint8Array(privateKey)) }
}
