const kitchen = { id: 1, name: 'Kitchen & Co' }

export const create = { input: { name: 'Kitchen & Co' }, output: kitchen }
export const list = { output: [kitchen] }
