/** Formats a Markdown table. */
export function table(heading: string[], rows: string[][]): string {
  const lines = [heading, ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return lines.toSpliced(1, 0, `|${heading.map(() => '---|').join('')}`).join('\n')
}

/**
 * Replaces the text between the two marks of a section. The first mark names the command that writes the section.
 *
 * @throws Error when the page has no such marks
 */
export function replaceSection(page: string, name: string, { by, text }: { by: string; text: string }): string {
  const [begin, end] = [`<!-- ${name}: written by ${by} -->`, `<!-- end of ${name} -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`The page has no section for ${name}. Add these lines: ${begin} and ${end}`)
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`
}
