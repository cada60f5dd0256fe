/** The rule of compatible changes, for the documents that describe events. */
export const COMPATIBILITY = `\
A consumer must ignore events whose type it does not know, and fields and headers that it does not know. For such a consumer these
changes are compatible, and any version can contain them:

- a new event type, a new field or a new header;
- a narrower range of values, such as a lower maximum;
- an optional field that is always present from then on.

These changes break consumers. They need a new major version of \`@pointwise/client-sdk\`, whose changelog announces them:

- an event type, a field or a header that is removed or renamed;
- another JSON type of a field;
- a wider range of values, such as a higher maximum;
- another set of values of an enumeration;
- a required field that becomes optional;
- another rule for the key.`
