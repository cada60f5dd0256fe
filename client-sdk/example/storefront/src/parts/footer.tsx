import { referencePath } from '../server.ts'

export function Footer() {
  return (
    <footer className="footer">
      <div className="footer-inner">
        <p>A demonstration on Pointwise. Everything here goes through its typed client.</p>
        {referencePath && <a href={referencePath}>API reference</a>}
      </div>
    </footer>
  )
}
