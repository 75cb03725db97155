/** The files of the page by name, gzipped, in base64. The build makes this module of `ui/`, beside the compiled code. */
export declare const files: Readonly<
  Record<string, { readonly type: string; readonly gzip: string }>
>;
