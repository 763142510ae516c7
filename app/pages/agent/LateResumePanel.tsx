import type { ComponentProps } from 'react'
import { late } from '../../late.ts'
import { useLate } from '../../useLate.ts'
import type { ResumePanel as Panel } from './ResumePanel.tsx'

export const loadResume = late(async () => (await import('./ResumePanel.tsx')).ResumePanel)

/** A resume is never the first thing that somebody needs: its code comes after the first paint. */
export function ResumePanel(props: ComponentProps<typeof Panel>) {
  const Resume = useLate(loadResume)
  return Resume === null ? null : <Resume {...props} />
}
