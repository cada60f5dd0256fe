/** As a ref: the element that comes takes the place, and the focus, of the one that was pressed. */
export const focus = (element: HTMLElement | null) => element?.focus()

/** As a ref: where the element goes while the focus is in it, as a way on does that was taken, the focus is not lost. */
export const keepFocus = (element: HTMLElement | null) => () => {
  if (element?.contains(document.activeElement)) focusMain()
}

export const focusMain = () => document.getElementById('main')?.focus({ preventScroll: true })
