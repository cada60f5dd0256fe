import { useQuery } from '@tanstack/react-query'
import * as queries from '../queries.ts'
import { Link, type Route } from '../router.tsx'
import { useSession } from '../session.tsx'
import { Amount } from './amount.tsx'
import { Mark } from './icons.tsx'
import { Skeleton } from './skeleton.tsx'
import { ThemeToggle } from './theme-toggle.tsx'
import { useSignIn } from './use-sign-in.tsx'

export function Header({ route }: { route: Route }) {
  const currentIf = (...pages: Route['page'][]) => (pages.includes(route.page) ? 'page' : undefined)
  return (
    <header className="header">
      <div className="header-inner">
        <Link className="wordmark" href="/">
          <Mark />
          Pointwise
        </Link>
        <nav className="main-nav" aria-label="Main">
          <Link href="/" aria-current={currentIf('catalogue', 'product')}>
            Shop
          </Link>
          <Link href="/orders" aria-current={currentIf('orders')}>
            Orders
          </Link>
          <Link href="/points" aria-current={currentIf('points')}>
            Points
          </Link>
        </nav>
        <div className="header-end">
          <Balance />
          <Visitor />
        </div>
        <ThemeToggle />
      </div>
    </header>
  )
}

function Balance() {
  const { client, user, isLoading } = useSession()
  const { data } = useQuery({ ...queries.balance(client, user?.id ?? 0), enabled: user !== null })
  if (!user && !isLoading) return null
  return (
    <Link className="balance" href="/points">
      <span className="visually-hidden">Balance: </span>
      {data ? <Amount value={data.balance} /> : <Skeleton className="skeleton-balance" />}
    </Link>
  )
}

/** The current user: one of the demo users, or the user of a token. */
function Visitor() {
  const { user, users, isLoading, switchUser } = useSession()
  const signIn = useSignIn()
  if (isLoading) return <Skeleton className="skeleton-visitor" />
  if (users.length > 0) {
    return (
      <label className="visitor">
        <span className="visually-hidden">Shopping as</span>
        <select
          value={user?.id}
          onChange={({ target }) => switchUser(users.find(({ id }) => id === Number(target.value)) ?? null)}
        >
          {users.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
    )
  }
  return (
    <>
      <button type="button" className="button quiet" onClick={() => (user ? switchUser(null) : signIn.begin())}>
        {user ? `Sign out ${user.name}` : 'Sign in'}
      </button>
      {signIn.dialog}
    </>
  )
}
