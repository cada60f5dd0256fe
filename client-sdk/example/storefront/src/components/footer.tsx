import { referencePath } from '../api-client.ts'

export function Footer() {
  return (
    <footer className="footer">
      <div className="footer-inner">
        <p>A Pointwise demo, built with its typed client.</p>
        {referencePath && <a href={referencePath}>API reference</a>}
      </div>
    </footer>
  )
}
