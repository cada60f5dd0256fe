import { Page, Title } from '../components/page.tsx'
import { Link } from '../router.tsx'

export function NotFoundPage() {
  return (
    <Page>
      <Title title="Page not found" path="not-found" />
      <p>
        Please check the address, or <Link href="/">go to the shop</Link>.
      </p>
    </Page>
  )
}
