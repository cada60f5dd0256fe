import fc from 'fast-check'

/** The same cases in every run; PROPERTY_SEED=… tries others. */
const { PROPERTY_SEED = '1' } = process.env
fc.configureGlobal({ seed: Number(PROPERTY_SEED) })

export { fc }
