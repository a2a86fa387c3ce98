/** What is known of the network, as sentences: in order, in the way, or not to be known from here. */
import type { NetworkState } from "../../api/generated";
import { wordingOf } from "../../base/messages";

export interface Fact {
  state: "good" | "bad" | "open";
  text: string;
  act?: "again" | "copy" | "visible";
}

export function networkFacts({ addresses, name, vpns, isVisible, person, port }: NetworkState): Fact[] {
  const where = addresses.join(", ");
  const facts: Fact[] = [];
  if (addresses.length === 0) facts.push({ state: "bad", text: "This computer is on no network.", act: "again" });
  else facts.push({ state: "good", text: name === null ? `Network: ${where}` : `Network: “${name}”, ${where}` });
  if (isVisible) facts.push({ state: "good", text: `This window is visible as “${person}”.` });
  else facts.push({ state: "bad", text: "This window is not visible to others.", act: "visible" });
  for (const vpn of vpns) facts.push({ state: "bad", text: wordingOf("MSG-NET-2", { vpn }).body, act: "again" });
  const shown = port === 0 ? 4870 : port;
  facts.push({ state: "open", text: `Firewall: we cannot tell. Allow CodeSync, UDP 5353 and TCP/UDP ${shown}.`, act: "copy" });
  facts.push({ state: "open", text: "Guest Wi-Fi often blocks computers from seeing each other." });
  return facts;
}
