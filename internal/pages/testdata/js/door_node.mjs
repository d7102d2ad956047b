// Driven by door_test.go.
import { readFileSync } from "node:fs";
import { answers } from "./door.mjs";

console.log(JSON.stringify(await answers(JSON.parse(readFileSync(0, "utf8")))));
