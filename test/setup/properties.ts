import fc from 'fast-check'

/** Every run uses the same cases. PROPERTY_SEED selects others. */
const { PROPERTY_SEED = '1' } = process.env
fc.configureGlobal({ seed: Number(PROPERTY_SEED) })

export { fc }
