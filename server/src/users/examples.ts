const ada = { id: 1, name: 'Ada', createdAt: new Date('2026-03-02T09:30:00Z') }

export const create = { input: { name: 'Ada' }, output: ada }
export const me = { output: ada }
export const remove = { input: { userId: 1 }, output: { id: 1 } }
