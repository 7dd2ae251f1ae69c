# Returns nothing.
def main(args)
end
