const numberFormat = new Intl.NumberFormat('en')
const dateFormat = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

export const formatNumber = (value: number) => numberFormat.format(value)
export const formatPoints = (value: number) => `${formatNumber(value)} ${value === 1 ? 'point' : 'points'}`
export const formatMorePoints = (value: number) => `${formatNumber(value)} more ${value === 1 ? 'point' : 'points'}`
export const formatPieces = (value: number) => `${formatNumber(value)} ${value === 1 ? 'piece' : 'pieces'}`
export const formatDate = (value: Date) => dateFormat.format(value)
