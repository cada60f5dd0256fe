import { useQuery } from '@tanstack/react-query'
import * as queries from '../queries.ts'
import { cataloguePath, Link } from '../router.tsx'
import { useSession } from '../session.tsx'

export function StoreFilter({ storeId }: { storeId: number | undefined }) {
  const { client } = useSession()
  const { data = [] } = useQuery(queries.storeList(client))
  if (data.length === 1) return null
  return (
    <nav className="chips" aria-label="Stores">
      {[{ id: undefined, name: 'All stores' }, ...data].map(({ id, name }) => (
        <Link
          key={id ?? 0}
          className="chip"
          href={cataloguePath({ storeId: id })}
          aria-current={id === storeId ? 'page' : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  )
}
