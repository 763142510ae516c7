import styles from './VoteBar.module.css'

export type VoteSide = {
  readonly side: 'for' | 'against' | 'abstain'
  readonly name: string
  readonly words: string
  /** Of all votes, from 0 to 1. */
  readonly share: number
}

/** How votes fell, told apart by pattern and word. */
export const VoteBar = ({ sides }: { readonly sides: readonly VoteSide[] }) => (
  <div className={styles.votes}>
    <div className={styles.track} aria-hidden="true">
      {sides.map(({ side, share }) => (
        <span key={side} className={styles.part} data-side={side} style={{ width: `${share * 100}%` }} />
      ))}
    </div>
    <ul className={styles.legend}>
      {sides.map(({ side, name, words }) => (
        <li key={side} className={styles.side}>
          <span className={`${styles.swatch} ${styles.part}`} data-side={side} aria-hidden="true" />
          <span>{name}</span>
          <span>{words}</span>
        </li>
      ))}
    </ul>
  </div>
)

/** How far something is from what it has to reach. @param share from 0 to 1 and beyond */
export const GoalBar = (props: { readonly name: string; readonly words: string; readonly share: number }) => (
  <div className={styles.goal}>
    <p className={styles.words}>
      <span className={styles.name}>{props.name}</span>
      <span>{props.words}</span>
    </p>
    <progress className={styles.progress} max={1} value={Math.min(1, props.share)} aria-label={props.name} />
  </div>
)
