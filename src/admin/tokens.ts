import { brand } from '../common/brand.js';

/** Injection token of the `AdminSettings`. */
export const ADMIN_SETTINGS = brand('AdminSettings');
