/**
 * Returns the key of a name: two names are the same if their keys are equal. The key ignores case (Unicode's default case
 * folding), canonically equivalent forms (NFC and NFD), white space at the ends, the kind and the number of spaces in
 * between, and invisible characters. It preserves accents, voicing marks, the dotless i and full-width forms.
 *
 * The keys are stored: a change of this function needs a migration.
 */
export function nameKey(name: string): string {
  const visible = name.replace(/\p{Default_Ignorable_Code_Point}+/gu, '')
  return foldCase(visible.normalize('NFD'))
    .normalize('NFC')
    .replace(/\p{White_Space}+/gu, ' ')
    .replace(/^ | $/g, '')
}

/** Lower case first, because capital ẞ is its own upper case. The dotless ı has no case folding, but I as its upper case. */
function foldCase(text: string): string {
  return text.replace(/[^ı]+/gu, (part) => part.toLowerCase().toUpperCase())
}
