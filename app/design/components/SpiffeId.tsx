import { memo } from 'react'
import { InvalidSpiffeIdError, parseSpiffeId } from '../../../protocol/spiffeId.ts'
import { CopyText, headAndTail, type Piece } from './CopyText.tsx'

/** The type and the end are never cut; the scheme goes without saying. */
function piecesOf(id: string): readonly Piece[] {
  try {
    const { trustDomain, type, name } = parseSpiffeId(id)
    return [
      { text: trustDomain, mayBeCut: true },
      { text: `/${type}/`, mayBeCut: false },
      ...headAndTail(name),
    ]
  } catch (error) {
    if (error instanceof InvalidSpiffeIdError) return headAndTail(id)
    throw error
  }
}

/** A SPIFFE ID. @param href where it leads */
export const SpiffeId = memo(function SpiffeId({
  id,
  href,
}: {
  readonly id: string
  readonly href?: string
}) {
  return (
    <CopyText text={id} pieces={piecesOf(id)} what="SPIFFE ID" {...(href === undefined ? {} : { href })} />
  )
})
