import { Page, Title } from '../parts/page.tsx'
import { Link } from '../route.tsx'

export function NowherePage() {
  return (
    <Page>
      <Title title="There is nothing here" place="nowhere" />
      <p>
        The address may be mistyped. <Link href="/">To the shop</Link>
      </p>
    </Page>
  )
}
