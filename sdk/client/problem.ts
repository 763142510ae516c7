/** Where the types of Killswitch's problem documents (RFC 9457) stand. */
export const problemBase = 'https://killswitch.ai/problems/'

export const problemMediaType = 'application/problem+json'

/** RFC 9457, with Killswitch's extension members. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly [extension: string]: unknown
}

/** Reads the body of a refused request; a body that is no problem document becomes the detail of one. */
export function readProblem(status: number, body: string): Problem {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    value = null
  }
  const fields: Record<string, unknown> =
    typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : { detail: body.slice(0, 500) }
  const text = (key: string, otherwise: string): string => {
    const field = fields[key]
    return typeof field === 'string' ? field : otherwise
  }
  return {
    ...fields,
    type: text('type', 'about:blank'),
    title: text('title', `HTTP status ${status}`),
    status,
    detail: text('detail', ''),
  }
}
