import type { ReactNode } from 'react'

/** A link within the app. */
export const Link = ({ href, children }: { readonly href: string; readonly children: ReactNode }) => (
  <a href={href}>{children}</a>
)
