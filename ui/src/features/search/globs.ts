/** The fields for files to include and to leave out: globs between commas. */

/** "*.ts, src/{a,b}" becomes ["*.ts", "src/{a,b}"]. */
export function globsOf(typed: string): string[] {
  const globs: string[] = [];
  let depth = 0;
  let glob = "";
  for (const sign of typed) {
    if (sign === "{") depth += 1;
    if (sign === "}") depth = Math.max(0, depth - 1);
    if (sign === "," && depth === 0) {
      globs.push(glob);
      glob = "";
    } else glob += sign;
  }
  return [...globs, glob].map((one) => one.trim()).filter((one) => one !== "");
}

/** The glob that stands for one folder and what is in it. */
export function globOfFolder(path: string): string {
  return `./${path.replace(/[*?[\]{}\\]/g, (sign) => `\\${sign}`)}`;
}
