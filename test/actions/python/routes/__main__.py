"""Finds the shortest routes and the most important stations of a network."""
import networkx as nx


def main(args):
    graph = nx.Graph()
    graph.add_weighted_edges_from(tuple(edge) for edge in args["edges"])
    centrality = nx.betweenness_centrality(graph, weight="weight")
    return {
        "route": nx.dijkstra_path(graph, args["start"], args["end"]),
        "minutes": nx.dijkstra_path_length(graph, args["start"], args["end"]),
        "hub": max(sorted(centrality), key=centrality.get),
        "tree": nx.minimum_spanning_tree(graph).size(weight="weight"),
        "bridges": sorted(sorted(bridge) for bridge in nx.bridges(graph)),
    }
