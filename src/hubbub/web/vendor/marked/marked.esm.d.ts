// What the page uses of it, for the types' sake.
export class Marked {
  constructor(options: object);
  lexer(text: string): any[];
}
