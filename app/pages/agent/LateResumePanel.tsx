import { type ComponentProps, lazy, Suspense } from 'react'
import { late } from '../../late.ts'
import type { ResumePanel as Panel } from './ResumePanel.tsx'

export const loadResume = late(async () => ({ default: (await import('./ResumePanel.tsx')).ResumePanel }))

const Resume = lazy(loadResume)

/** A resume is never the first thing that somebody needs: its code comes after the first paint. */
export const ResumePanel = (props: ComponentProps<typeof Panel>) => (
  <Suspense fallback={null}>
    <Resume {...props} />
  </Suspense>
)
