/** As a ref: the element that comes takes the place, and the focus, of the one that was pressed. */
export const focus = (element: HTMLElement | null) => element?.focus()
