import styles from './Source.module.css'

export type SourceName = 'chain' | 'relayer' | 'feed' | 'page'

const words: Readonly<Record<SourceName, readonly [string, string]>> = {
  chain: ['Chain', 'Read from the contract through the node that this page is set up with'],
  relayer: ['Relayer', 'Told by the relayer; only it knows this'],
  feed: ['Verified feed', "From the relayer's feed; this page has checked its signature"],
  page: ['This page', 'Measured by this page'],
}

/** Where what stands beside it comes from. */
export function Source({ of }: { readonly of: SourceName }) {
  const [word, meaning] = words[of]
  return (
    <span className={styles.source} title={meaning}>
      {word}
    </span>
  )
}
