/** What is known of the network, as sentences: in order, in the way, or not to be known from here. */
import type { NetworkState } from "../../api/generated";
import { wordingOf } from "../../base/messages";

export interface Fact {
  state: "good" | "bad" | "open";
  text: string;
  act?: "again" | "copy" | "visible";
}

/** Ports that are tried first: for an open workspace, and for whoever looks around. */
const WORKSPACE_PORT = 4870;
const LOBBY_PORT = 4871;

/** What a firewall is to let through. `reachedAt`: where the open workspace is, `host:port`; empty as long as it is nowhere. */
export function firewallRule({ port }: NetworkState, reachedAt: readonly string[]): string {
  const ofWorkspace = reachedAt.length === 0 ? [WORKSPACE_PORT] : reachedAt.map((address) => Number(address.slice(address.lastIndexOf(":") + 1)));
  const ports = new Set([...ofWorkspace, port === 0 ? LOBBY_PORT : port]);
  return `UDP 5353 and TCP/UDP ${[...ports].sort((a, b) => a - b).join(", ")}`;
}

export function networkFacts(network: NetworkState, reachedAt: readonly string[]): Fact[] {
  const { addresses, name, vpns, isVisible, person } = network;
  const where = addresses.join(", ");
  const facts: Fact[] = [];
  if (addresses.length === 0) facts.push({ state: "bad", text: "This computer is on no network.", act: "again" });
  else facts.push({ state: "good", text: name === null ? `Network: ${where}` : `Network: “${name}”, ${where}` });
  if (isVisible) facts.push({ state: "good", text: `This window is visible as “${person}”.` });
  else facts.push({ state: "bad", text: "This window is not visible to others.", act: "visible" });
  for (const vpn of vpns) facts.push({ state: "bad", text: wordingOf("MSG-NET-2", { vpn }).body, act: "again" });
  facts.push({ state: "open", text: `Firewall: we cannot tell. Allow CodeSync, ${firewallRule(network, reachedAt)}.`, act: "copy" });
  facts.push({ state: "open", text: "Guest Wi-Fi often blocks computers from seeing each other." });
  return facts;
}
