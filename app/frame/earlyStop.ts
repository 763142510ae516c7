/** Of the note that the stop opens while the page has no code yet; see index.html. */
export const earlyStopId = 'early-stop'

/** Whether the stop was pressed before the page had its code, and is still wanted. Takes the note away. */
export function takeEarlyStop(): boolean {
  const note = document.getElementById(earlyStopId)
  const isPressed = note?.matches(':popover-open') === true
  note?.remove()
  return isPressed
}
