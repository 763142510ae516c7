import { Empty, Loading } from '../design/components/Empty.tsx'

/** In place of what only the chain can tell. @param error of the last attempt to read it, null while none has failed */
export const ChainUnread = ({ error }: { readonly error: unknown }) =>
  error === null ? (
    <Loading what="Reading the contract's logs …" />
  ) : (
    <Empty title="The chain cannot be read now">The node does not answer; this page waits for it.</Empty>
  )
