/** Changes of statements on their way to the database. */
export class Rewritings {
  #all: { pattern: RegExp; replacement: string; applied: number }[] = []

  add(pattern: RegExp, replacement: string): () => number {
    const rewriting = { pattern, replacement, applied: 0 }
    this.#all.push(rewriting)
    return () => rewriting.applied
  }

  apply(statement: string): string {
    return this.#all.reduce((text, rewriting) => {
      const rewritten = text.replace(rewriting.pattern, rewriting.replacement)
      if (rewritten !== text) rewriting.applied++
      return rewritten
    }, statement)
  }

  clear(): void {
    this.#all = []
  }
}
