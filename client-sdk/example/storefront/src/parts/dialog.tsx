import { type ReactNode, useId, useLayoutEffect, useRef } from 'react'
import { focusMain } from './focus.ts'
import { Cross } from './icons.tsx'

interface DialogProps {
  title: string
  onClose: () => void
  /** Something is under way that should be seen to its end. */
  isBusy?: boolean
  children: ReactNode
}

/** A modal dialog. The browser keeps the focus inside, and gives it back to where it came from. */
export function Dialog({ title, onClose, isBusy = false, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  // Closed while it still stands in the page, or the browser would not give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current
    if (element && !element.open) element.showModal()
    return () => {
      element?.close()
      // Where it came from may be gone: an order that was paid has no button to pay it.
      if (document.activeElement === document.body) focusMain()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      aria-busy={isBusy}
      onCancel={(event) => {
        event.preventDefault()
        if (!isBusy) onClose()
      }}
      // Comes where that was not heeded: no page may keep a dialog open against a second Escape.
      onClose={({ currentTarget }) => {
        if (currentTarget.open) return
        if (isBusy) currentTarget.showModal()
        else onClose()
      }}
    >
      <div className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="icon-button" aria-label="Close" disabled={isBusy} onClick={onClose}>
          <Cross />
        </button>
      </div>
      {children}
    </dialog>
  )
}
