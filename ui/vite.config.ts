import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  // Tauri serves from a custom scheme; relative addresses also work from a plain folder.
  base: "./",
  clearScreen: false,
  resolve: process.env.VITEST ? { conditions: ["browser"] } : {},
  worker: { format: "es" },
  build: { target: ["safari16", "chrome110"], chunkSizeWarningLimit: 4_500, reportCompressedSize: false },
  // Generous: how long a test takes on a busy machine says nothing of it.
  test: { include: ["src/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
