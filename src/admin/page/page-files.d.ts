/** The files of the page, which the build makes of `ui/`. */
declare module '#page' {
  export const files: Readonly<Record<string, { readonly type: string; readonly gzip: string }>>;
}
