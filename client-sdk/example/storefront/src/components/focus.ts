/** A ref that focuses a new element, which replaces the one that was pressed. */
export const focus = (element: HTMLElement | null) => element?.focus()

/** A ref that moves the focus to the main content if an element is removed that contains the focus. */
export const keepFocus = (element: HTMLElement | null) => () => {
  if (element?.contains(document.activeElement)) focusMain()
}

export const focusMain = () => document.getElementById('main')?.focus({ preventScroll: true })
