import { type ReactNode, useId, useLayoutEffect, useRef } from 'react'
import { focusMain } from './focus.ts'
import { Cross } from './icons.tsx'

interface DialogProps {
  title: string
  onClose: () => void
  /** An operation is in progress, and the dialog cannot be closed. */
  isBusy?: boolean
  children: ReactNode
}

/** A modal dialog. The browser traps the focus inside and restores it afterwards. */
export function Dialog({ title, onClose, isBusy = false, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  // The browser restores the focus only if the dialog is closed while it is in the document.
  useLayoutEffect(() => {
    const element = dialog.current
    if (element && !element.open) element.showModal()
    return () => {
      element?.close()
      // The element that had the focus may have been removed, such as the button to pay an order that is now paid.
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
      // A browser closes the dialog on a second Escape even if the cancel event was prevented.
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
