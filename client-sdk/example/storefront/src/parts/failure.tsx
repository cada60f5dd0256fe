import { wordsForError } from '../words.ts'
import { Notice } from './icons.tsx'

/** Tells that something could not be read, where it would have been. */
export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const { title, text } = wordsForError(error)
  return (
    <div className="failure" role="alert">
      <Notice />
      <div>
        <p className="failure-title">{title}</p>
        <p>{text}</p>
        <button type="button" className="button quiet" onClick={retry}>
          Try again
        </button>
      </div>
    </div>
  )
}
