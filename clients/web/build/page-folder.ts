/** Where the built page is, from the root of the project. */
export const PAGE_FOLDER = 'dist/web';
